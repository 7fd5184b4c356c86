"""What is done for 155/НҚ: one module a deed, each deed in one transaction (a Unit)."""
