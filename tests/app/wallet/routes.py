"""Every address of the wallet, for whoever counts the routes of the house."""

WALLET = {
    ("POST", "/v1/notices"), ("GET", "/v1/notices"), ("GET", "/v1/notices/{id}"),
    ("POST", "/v1/notice-batches"), ("POST", "/v1/decisions"), ("GET", "/v1/wallet/cases/{id}"),
    ("GET", "/v1/me/measures"), ("POST", "/v1/me/measures/{id}/answer"),
}  # fmt: skip
