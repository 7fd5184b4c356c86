"""What the wallet does: one function is one deed, in the transaction of its caller."""
