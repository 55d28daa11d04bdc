"""Cards through Stripe, by Stripe's own library, which is imported at the first call."""

from billclock.billing.payment_methods.stripe.method import StripeCards

METHOD = StripeCards
