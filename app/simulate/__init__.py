"""A whole campaign in virtual time on the real engine, rules, ledger, outbox and exchange; only the
networks and the people are simulated. It forecasts, and it holds the promises while it does."""
