"""How a new network is taken on before any citizen: its bind is checked, then it hears an echo."""
