import type { Transport } from "@jupyterhub-studios/explorer";
import { URLExt } from "@jupyterlab/coreutils";
import { ServerConnection } from "@jupyterlab/services";

/** Where the server extension answers, below the base URL of the Jupyter server. */
export const NAMESPACE = "jupyterhub-studios";

/** The API over JupyterLab's own connection, which brings its token, its XSRF header and its base URL. */
export function labTransport(settings: ServerConnection.ISettings): Transport {
  const base = URLExt.join(settings.baseUrl, NAMESPACE);
  return {
    base,
    request: async (path, init) => {
      try {
        return await ServerConnection.makeRequest(base + path, init, settings);
      } catch (error) {
        // JupyterLab tells every request that did not come through as a network fault, also one we gave up.
        init.signal?.throwIfAborted();
        throw error;
      }
    },
  };
}
