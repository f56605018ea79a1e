"""Credentials at rest: encrypted, each for its owner, with keys derived from the service's signing key."""

from __future__ import annotations

import base64
import json

from cryptography.fernet import Fernet, InvalidToken

from ...models import CredentialSpec, StudiosError
from ..keys import Keys


class Vault:
    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def seal(self, owner: str, credential_id: str, spec: CredentialSpec) -> bytes:
        document = {"id": credential_id, "spec": spec.disclosed()}
        return self._fernet(owner).encrypt(json.dumps(document).encode())

    def open(self, owner: str, credential_id: str, sealed: bytes) -> CredentialSpec:
        try:
            document = json.loads(self._fernet(owner).decrypt(sealed))
            if document["id"] != credential_id:
                raise InvalidToken
        except InvalidToken:
            raise StudiosError(
                "This credential cannot be read any more",
                "it was encrypted with another signing key of the service",
                "Remove it and add it again",
                status=409,
                field="credential",
            ) from None
        return CredentialSpec.model_validate(document["spec"])

    def _fernet(self, owner: str) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(self._keys.credential_key(owner)))
