"""Of every check, and of the Hub, its service and its configuration."""

from __future__ import annotations

from .finding import fail, ok, warn

GENERAL = {
    "slow": fail(
        "no answer within {seconds:.0f} seconds",
        "something drops the requests, or is very slow",
        "Check the network and the firewalls between this machine and what is checked",
    ),
    "broken": fail(
        "the check itself failed", "{error}", "Please report it; `studios doctor --json` shows the rest"
    ),
}

HUB = {
    "url-ok": ok("jobs reach the Hub at {url}"),
    "url-bad": fail(
        "“{url}” is not an address",
        "jobs open their control channel there",
        "Set c.Studios.public_url to http(s)://HOST/",
    ),
    "url-loopback": fail(
        "jobs cannot reach {url}",
        "they run on other machines ({environments}), where that address is themselves",
        "Set c.Studios.public_url to the Hub's address in your network",
    ),
    "url-unknown": fail(
        "the name {host} is not known",
        "this machine cannot resolve it",
        "Correct c.Studios.public_url, or the DNS",
    ),
    "url-plain": warn(
        "{url} is not encrypted",
        "jobs send their tokens and people their cookies over the network as they are",
        "Put TLS in front of the Hub, and set c.Studios.public_url to https://…",
    ),
    "hub-ok": ok("JupyterHub {version} answers"),
    "hub-silent": fail(
        "nothing answers at {url}", "{reason}", "Start the Hub, or correct c.Studios.public_url"
    ),
    "hub-stranger": fail(
        "something else than a Hub answers at {url}",
        "{reason}",
        "Check c.Studios.public_url, with the Hub's base URL, and the proxy before the Hub",
    ),
    "hub-old": fail(
        "JupyterHub {version} answers", "studios need at least 6.1 and less than 7", "Upgrade JupyterHub"
    ),
    "service-ok": ok("the studios service answers the Hub"),
    "service-unset": fail(
        "the Hub does not know where the studios service is",
        "c.BatchSpawner.service_url is not set",
        "Set it to the service's url with its prefix: http://127.0.0.1:8091/services/studios/",
    ),
    "service-silent": fail(
        "the studios service does not answer at {url}",
        "{reason}",
        "Look at the Hub's log: the Hub starts the service, when it is in c.JupyterHub.services",
    ),
    "service-token": fail(
        "the studios service does not take the Hub's token",
        "c.BatchSpawner.service_token and the service's api_token differ",
        "Give both the same secret",
    ),
    "service-stranger": fail(
        "something else than the studios service answers at {url}",
        "{reason}",
        "Correct c.BatchSpawner.service_url",
    ),
    "agents-ok": ok("the way of the jobs leads to the studios service"),
    "agents-blocked": fail(
        "jobs do not get through to the studios service at {url}",
        "{reason}",
        "Let the proxy before the Hub pass /services/studios/agent/ on, WebSockets included",
    ),
    "agents-silent": fail(
        "nothing answers jobs at {url}", "{reason}", "Start the Hub, or correct c.Studios.public_url"
    ),
    "tunnel-ok": ok("the tunnel answers at {address}"),
    "tunnel-silent": fail(
        "the tunnel does not answer at {address}",
        "{reason}",
        "Look into tunnel.log in c.Studios.state_dir; check c.Studios.tunnel_bind, c.Studios.tunnel_address and "
        "the firewall",
    ),
    "tunnel-stranger": fail(
        "something else than this Hub's tunnel answers at {address}",
        "its host key is not the one of tunnel.key in c.Studios.state_dir: agents refuse it",
        "Correct c.Studios.tunnel_address, or free the port",
    ),
    "config-ok": ok("the settings that studios rely on are right"),
    "config-cleanup": fail(
        "the Hub ends studios when it is restarted",
        "c.JupyterHub.cleanup_servers is not False, and a stop without the service loses work",
        "Set c.JupyterHub.cleanup_servers = False",
    ),
    "config-names": fail(
        "the Hub starts no studios",
        "every studio is a named server, and c.JupyterHub.allow_named_servers is not True",
        "Set c.JupyterHub.allow_named_servers = True",
    ),
    "config-service": fail(
        "the Hub has no studios service",
        "c.JupyterHub.services has no entry “studios”",
        "Add service_definition(…) of jupyterhub_studios.config",
    ),
    "config-token": fail(
        "the Hub and the studios service have different secrets",
        "c.BatchSpawner.service_token is not the api_token of the service's definition",
        "Give both the same secret",
    ),
    "config-spawner": fail(
        "the Hub does not start studios",
        "c.JupyterHub.spawner_class is not “studios”",
        'Set c.JupyterHub.spawner_class = "studios"',
    ),
    "config-scope": warn(
        "people may not see the pages",
        "c.JupyterHub.extra_user_scopes lacks access:services!service=studios, unless a role of yours grants it",
        'Set c.JupyterHub.extra_user_scopes = {{"access:services!service=studios"}}',
    ),
    "config-role": fail(
        "the studios service may do nothing at the Hub",
        "c.JupyterHub.load_roles gives it no role",
        "Set c.JupyterHub.load_roles = [service_role()], with service_role of jupyterhub_studios.config",
    ),
    "config-unknown": warn(
        "{name} is no setting, and does nothing",
        "the nearest name is: {meant}",
        "Correct its name, or take it out",
    ),
    "environments-none": fail(
        "nothing can be started", "c.Studios.compute_environments is empty", "Offer at least one"
    ),
}
