"""How fast jauap is: real processes on real servers, driven from outside, timed by their ledger."""
