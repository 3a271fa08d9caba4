"""Account: the secrets with which one vendor is used, as the vault keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rapida_tw.errors import MisconfiguredAssistant

# What a credential of most vendors may have: name → sentence. One that begins with "The same as X."
# is another spelling; and each may be written in camelCase.
URL_FIELDS: Mapping[str, str] = {
    "base_url": "Optional: where its API is, instead of the vendor's own address.",
    "endpoint": "The same as base_url.",
    "url": "The same as base_url.",
}
CREDENTIAL_FIELDS: Mapping[str, str] = {
    "key": "The API key.",
    "api_key": "The same as key.",
    **URL_FIELDS,
}
GOOGLE_FIELDS: Mapping[str, str] = {
    "service_account_key": "The JSON file of a service account, whole; or instead of it a key.",
    "service_account": "The same as service_account_key.",
    "project_id": "Optional: the project, where it is not the service account's.",
    **CREDENTIAL_FIELDS,
}
AWS_FIELDS: Mapping[str, str] = {
    "access_key_id": "The id of an access key.",
    "aws_access_key_id": "The same as access_key_id.",
    "secret_access_key": "Its secret.",
    "aws_secret_access_key": "The same as secret_access_key.",
    "session_token": "Optional: the token of a temporary access key.",
    "aws_session_token": "The same as session_token.",
    "region": "Optional: where it is used; else the option of the deployment.",
    **URL_FIELDS,
}
AZURE_FIELDS: Mapping[str, str] = {
    "subscription_key": "One of the resource's keys.",
    "key": "The same as subscription_key.",
    "api_key": "The same as subscription_key.",
    "region": "Optional: the resource's region; else the option of the deployment.",
    **URL_FIELDS,
}


class Lacking(MisconfiguredAssistant):
    """The account has not what its vendor needs."""


class Account(Mapping[str, str]):
    """One credential's fields, read-only; its repr hides the values.

    Users spell a field in several ways: `first` and `need` take the spellings in order of choice.
    Every vendor takes `base_url` (or `baseUrl`, `endpoint`, `url`): another region, a server of the
    user's own, or a fake.
    """

    __slots__ = ("_fields", "vendor")

    def __init__(self, vendor: str = "", fields: Mapping[str, str] | None = None) -> None:
        self.vendor = vendor
        self._fields = dict(fields or {})

    def __getitem__(self, name: str) -> str:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Account({self.vendor!r}, {sorted(self._fields)})"

    def first(self, *names: str) -> str:
        """The first of these fields that is set; "" when none is."""
        return next((value for name in names if (value := self._fields.get(name, ""))), "")

    def need(self, *names: str) -> str:
        """The first of these fields that is set; `Lacking` when none is."""
        value = self.first(*names)
        if not value:
            had = f"its credential has only {', '.join(sorted(self._fields))}"
            why = had if self._fields else "it has no credential"
            raise Lacking(f"{self.vendor} needs a {names[0]}: {why}")
        return value

    def base_url(self, usual: str) -> str:
        """Where its API is, without a slash at the end; `usual` unless the credential says."""
        return (self.first("base_url", "baseUrl", "endpoint", "url") or usual).rstrip("/")


NOBODY = Account()
