"""Who may use the service: users, how they log in, what they may, and what they did. No HTTP."""
