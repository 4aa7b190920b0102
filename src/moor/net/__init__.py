"""Our hands for HTTP on the control plane: addresses, TLS, proxies, and a small blocking client.

Model calls do not pass here; the gateway has a data path of its own and takes addresses, TLS and proxies from here.
"""
