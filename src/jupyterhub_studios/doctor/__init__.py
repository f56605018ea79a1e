"""``studios doctor``: tries what a deployment needs before a person does, and says what to mend.

``findings`` holds every sentence; ``verdicts`` decides, purely, from what was seen; the other modules look: at the Hub
and its configuration, at buckets, images, this machine, a Docker engine, AWS.
"""
