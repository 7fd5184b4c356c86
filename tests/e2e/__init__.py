"""The whole of jauap in processes of its own, tried from outside."""
