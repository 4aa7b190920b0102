"""The TLS context for upstreams: the system's authorities and the configured ones, checked, never switched off."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

from moor.errors.net import CaFileInvalid

CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""environment variables that name further authorities; each tool has its own, and companies set any of them"""


def client_context(ca_file: str = "", environ: Mapping[str, str] | None = None) -> ssl.SSLContext:
    """A verifying client context, TLS 1.2 or later.

    Authorities: the system's, those of `ca_file` (PEM), and those of CA_VARIABLES in `environ`.
    Raises CaFileInvalid for a file that does not read.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Python 3.13 refuses authorities without a key usage extension by default; many a company's own has none
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    has_read = context.cert_store_stats()["x509"] > 0
    for setting, path in _files(ca_file, environ or {}, has_read=has_read):
        try:
            context.load_verify_locations(cafile=path)
        except (OSError, ssl.SSLError) as error:
            raise CaFileInvalid(path, setting, error.strerror or str(error)) from error
    return context


def _files(ca_file: str, environ: Mapping[str, str], *, has_read: bool) -> list[tuple[str, str]]:
    """(setting, path) of the files to read; `has_read`: the context holds authorities of the system's file."""
    named = [("ca_file", ca_file), *((name, environ.get(name, "")) for name in CA_VARIABLES)]
    # what the context has read it need not read again, which takes 20 ms; of a file that is broken it says nothing
    seen = {ssl.get_default_verify_paths().cafile} if has_read else set()
    files: list[tuple[str, str]] = []
    for setting, path in named:
        if path and path not in seen:
            seen.add(path)
            files.append((setting, path))
    return files
