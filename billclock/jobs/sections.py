"""The sections of the article's job list."""

NOTICES = "Notifications"
FINANCE = "Finance and payment"
SERVICES = "Services"
STATISTICS = "Statistics"
RESELLING = "Reselling"
MARKETING = "Marketing"
SUPPORT = "Support tickets"
