"""What :mod:`bench.scale` cannot have for real: AWS Batch with a thousand jobs, and the agents in them.

The Hub, its proxy, the studios service, their databases and the agents' end of the control channel are the real ones.
"""
