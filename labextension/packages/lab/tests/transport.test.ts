import { ServerConnection } from "@jupyterlab/services";
import { describe, expect, it } from "vitest";
import { labTransport } from "../src/transport";

const settings = (fetch: ServerConnection.ISettings["fetch"]): ServerConnection.ISettings =>
  ServerConnection.makeSettings({ baseUrl: "http://hub.example/@/space%20word/", token: "t", fetch });

describe("the transport", () => {
  it("goes below the base URL of the server, whatever it is, with its token", async () => {
    let asked: Request | undefined;
    const { base, request } = labTransport(
      settings((given) => {
        asked = given as Request;
        return Promise.resolve(new Response("{}"));
      }),
    );
    expect(base).toBe("http://hub.example/@/space%20word/jupyterhub-studios");
    await request("/data-links/dl%2F1/browse?path=a%20b", { method: "GET" });
    expect(asked?.url).toContain(`${base}/data-links/dl%2F1/browse?path=a%20b`);
    expect(asked?.headers.get("Authorization")).toBe("token t");
  });

  it("tells what we gave up from what did not come through", async () => {
    const { request } = labTransport(settings(() => Promise.reject(new TypeError("network"))));
    await expect(request("/x", {})).rejects.toThrow(ServerConnection.NetworkError);
    const stop = new AbortController();
    stop.abort();
    await expect(request("/x", { signal: stop.signal })).rejects.toMatchObject({ name: "AbortError" });
  });
});
