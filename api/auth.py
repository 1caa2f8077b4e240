"""Who may ask: anybody on this machine, or whoever holds a key."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

_bearer = HTTPBearer(auto_error=False, description="One of STORELENS_API_KEYS; not needed where none is set.")


def require_key(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> None:
    """Raises 401 unless no key is set or the request presents one."""
    keys = request.app.state.settings.api_keys
    if not keys:
        return
    given = (credentials.credentials if credentials else "").encode()
    # Every key is compared, so that the time taken does not say which one came close.
    if not any([secrets.compare_digest(given, key.get_secret_value().encode()) for key in keys]):  # noqa: C419
        raise HTTPException(
            401, "an API key is needed: send it as `Authorization: Bearer KEY`", {"WWW-Authenticate": "Bearer"}
        )
