"""Which network addresses belong to the public internet.

``ipaddress`` alone is not enough: ``is_global`` differs between Python releases, and ignores an IPv4 address that is
embedded in an IPv6 one.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_NAT64 = ip_network("64:ff9b::/96")
_UNICAST = ip_network("2000::/3")
"""All of IPv6 that IANA gives out to networks; whatever lies beside it is for some other use."""

_REFUSED_4 = tuple(
    map(
        ip_network,
        (
            "100.64.0.0/10",  # behind a provider's NAT
            "192.0.0.0/24",  # protocol assignments
            "192.88.99.0/24",  # 6to4 relays, withdrawn
        ),
    )
)
_REFUSED_6 = tuple(
    map(
        ip_network,
        (
            "2001::/23",  # protocol assignments; Teredo, which carries IPv4 addresses
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, which carries an IPv4 address; withdrawn
            "3fff::/20",  # documentation
        ),
    )
)


def is_public(address: str) -> bool:
    """Whether whatever listens at ``address`` is out in the internet; False for what is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return _is_public_4(parsed) if isinstance(parsed, IPv4Address) else _is_public_6(parsed)


def _is_public_4(address: IPv4Address) -> bool:
    return address.is_global and not address.is_multicast and not any(address in refused for refused in _REFUSED_4)


def _is_public_6(address: IPv6Address) -> bool:
    if address.scope_id is not None:
        return False
    if address in _NAT64:  # on a network without IPv4 every IPv4 host has such an address
        return _is_public_4(IPv4Address(int(address) & 0xFFFFFFFF))
    if address not in _UNICAST or not address.is_global:
        return False
    # ISATAP: an IPv4 address in the last half of one of any network.
    if int(address) >> 32 & 0xFDFFFFFF == 0x5EFE:
        return False
    return not any(address in refused for refused in _REFUSED_6)
