"""Sharing: who may open a studio besides its owner, by name or by a link, and showing them out again.

The Hub's shares say who may enter, each with ``access:servers!server=`` for the one server and nothing else. The
service makes them in its own name: no session and no visitor ever holds a token that could share. The rows here say
why a share is there, so that it goes when its last reason does.
"""
