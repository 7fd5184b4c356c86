"""jauap against OsmoMSC, a mobile core from Debian's packages (osmo-msc)."""
