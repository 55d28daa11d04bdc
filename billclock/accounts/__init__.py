"""Who may do what: users, roles, the audit trail."""
