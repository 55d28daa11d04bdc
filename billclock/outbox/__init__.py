"""What leaves the machine: messages with a dedupe key, leases, retries and limits."""
