"""The tunnel: the way to the gates of jobs that nobody can dial.

Such jobs dial out instead, to an SSH server of ours, and ask it for one thing: that connections to their session's
own port, on the Hub's side, be brought to their gate.

A process of its own, started by the studios service and detached from it. As a child that ends with the service, or as
a second service of the Hub, each restart of theirs would cut all people's connections; detached, it goes on with the
sessions that it knew last, and a service that comes back finds it by its socket in the state folder. Nothing is to be
configured at the Hub, and no token is needed. Should it die, the service, which notices at once, starts it
again (the Hub would look every half a minute only). It ends by itself when neither a service nor a session is there.

It stores nothing. Which sessions there are, with their keys and ports, the service tells it as one whole table after
each change: whoever is not in there is refused and cut. Keys are derived from the service's signing key, and
ports stand in the sessions' addresses, so after any restart the same sessions have the same ones. While a session
lives, its port is held here, whether its agent is connected or not: no other program of the machine can put itself
in the place of a gate that is away.
"""
