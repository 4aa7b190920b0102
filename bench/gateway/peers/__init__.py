"""Other gateways that install from pip or npm: what is known of each, how it is installed, started and asked.

python -m bench.gateway.peers install [NAME ...]
python -m bench.gateway.peers list
python -m bench.gateway.peers check [NAME ...]
"""
