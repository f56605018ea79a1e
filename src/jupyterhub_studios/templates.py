"""The templates we know. JupyterLab is offered unless an administrator takes it away; the others are ready to be
offered, each once ``c.Studios.templates`` names it: their programs come with the images below ``docker/``, or have
to be installed.

All are apps without a password; the gate in front of them asks who is there.
"""

from __future__ import annotations

from .models import Template

JUPYTER = Template(
    id="jupyter",
    title="JupyterLab",
    description="Notebooks, terminals and a file browser, for Python and any other kernel.",
    icon="jupyter",
    # Runs the JupyterLab of the Python the agent runs on; the image of other compute kinds brings its own.
    command=[
        "{python}", "-m", "jupyterlab", "--no-browser", "--allow-root",
        "--ServerApp.sock={socket}", "--ServerApp.sock_mode=0600", "--ServerApp.base_url={prefix}",
        "--ServerApp.root_dir={workdir}", "--ServerApp.allow_remote_access=True",
        "--ServerApp.trust_xheaders=True", "--ServerApp.quit_button=False",
        "--FileContentsManager.delete_to_trash=False",
        # A login shell would set PATH anew, and `pip` would be the system's, not the notebook's.
        "--ServerApp.terminado_settings={'shell_command': ['/bin/bash']}",
        "--ServerApp.identity_provider_class=jupyterhub_studios.lab.identity.StudioIdentityProvider",
        "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        # What people write together is noted beside their files, on the session's own disk; a day after the
        # last change its history is folded up.
        "--SQLiteYStore.db_path={workdir}/.jupyter_ystore.db", "--SQLiteYStore.squash_after_inactivity_of=86400",
        "--YDocExtension.session_store_path={workdir}/.jupyter/collaboration_sessions.json",
    ],
    ready_path="/api",
    default_path="/lab",
)  # fmt: skip

VSCODE = Template(
    id="vscode",
    title="VS Code",
    description="An editor with terminals and extensions; web apps that run in it open below /proxy/PORT/.",
    icon="vscode",
    # Settings, extensions and the state of windows lie in the home, and so in checkpoints.
    command=[
        "code-server", "--socket={socket}", "--socket-mode=600", "--auth=none",
        # For apps that must know the path at which people see them: {prefix}absproxy/PORT/.
        "--abs-proxy-base-path={prefix}",
        "--disable-telemetry", "--disable-update-check",
        # The studio is the border: nothing in a folder could do more than a terminal beside it.
        "--disable-workspace-trust", "--disable-getting-started-override",
        "{workdir}",
    ],
    strip_prefix=True,
    ready_path="/healthz",
)  # fmt: skip

RSTUDIO = Template(
    id="rstudio",
    title="RStudio",
    description="RStudio Server, for R.",
    icon="rstudio",
    # docker/rstudio/studio-rstudio. It cannot listen on a socket: in containers that share their machine's network
    # its port is open to whatever else runs there.
    command=["studio-rstudio", "{port}", "{prefix}"],
    strip_prefix=True,
)

DESKTOP = Template(
    id="desktop",
    title="Desktop",
    description="A Linux desktop with windows, for programs that need one.",
    icon="desktop",
    command=["studio-desktop", "{socket}"],  # docker/desktop/studio-desktop
    strip_prefix=True,
)

BUILT_IN = (JUPYTER,)
READY_MADE = (VSCODE, RSTUDIO, DESKTOP)
