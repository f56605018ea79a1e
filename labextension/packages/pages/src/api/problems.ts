import { ProblemError } from "@jupyterhub-studios/explorer";

export { ProblemError, problemOf, toProblem } from "@jupyterhub-studios/explorer";

/** Nobody answered: the service, the Hub or the network is down. Polls go on; a banner tells. */
export class Unreachable extends ProblemError {
  constructor() {
    super({
      type: "about:blank",
      title: "The studios service cannot be reached",
      status: 0,
      detail: "the network is down, or the service is restarting; running studios are not affected",
      action: "Try again in a moment",
      field: null,
    });
  }
}
