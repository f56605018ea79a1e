"""The AWS side of a deployment as one CloudFormation stack: made, looked at and removed by ``studios forge``.

``settings`` is what an administrator asks for; ``policies``, ``machines`` and ``template`` turn it into a template,
purely; ``account`` and ``stack`` talk to AWS; ``causes`` says what to do about a failure; ``snippet`` writes the
lines of ``jupyterhub_config.py``. The bucket is never part of the stack, so nothing here can delete work.
"""
