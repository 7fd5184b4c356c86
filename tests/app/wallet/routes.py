"""Every address of the wallet, for whoever counts the routes of the house."""

WALLET = {
    ("POST", "/v1/notices"), ("GET", "/v1/notices"), ("GET", "/v1/notices/{id}"),
    ("POST", "/v1/notice-batches"), ("POST", "/v1/decisions"), ("GET", "/v1/wallet/cases/{id}"),
    ("POST", "/v1/grants"), ("GET", "/v1/grants"), ("POST", "/v1/grants/used"),
    ("POST", "/v1/grants/close"), ("POST", "/v1/grants/reconcile"), ("POST", "/v1/wallet/sync"),
    ("POST", "/v1/wallet/systems"), ("GET", "/v1/wallet/systems"), ("GET", "/v1/wallet/changes"),
    *(("GET", f"/v1/wallet/effectiveness{ext}") for ext in ("", ".csv", ".xlsx", ".svg")),
    ("GET", "/v1/wallet/conflicts"), ("GET", "/v1/wallet/systems/{code}/dossier"),
    ("GET", "/v1/wallet/systems/{code}/dossier.html"),
    ("GET", "/v1/me/measures"), ("POST", "/v1/me/measures/{id}/answer"),
}  # fmt: skip
