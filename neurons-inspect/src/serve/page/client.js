// Questions to the server.

/** The answer to a question; an error says why there is none. */
export async function ask(question) {
  let response;
  try {
    response = await fetch("/answer", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(question),
    });
  } catch {
    throw new Error("The server does not answer. Is `neurons serve` still running?");
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.refused);
  return answer;
}

/** The declarations and surrogates that the menus offer. */
export async function menu() {
  const response = await fetch("/neurons.json");
  return response.json();
}

/**
 * Runs `update` when it is called for, but never twice at a time: while it runs, calls amount to one more run.
 * `update` is given a function that says whether there will be one.
 */
export function latest(update) {
  let isRunning = false;
  let isOutdated = false;
  return async function call() {
    isOutdated = true;
    if (isRunning) return;
    isRunning = true;
    try {
      while (isOutdated) {
        isOutdated = false;
        await update(() => isOutdated);
      }
    } finally {
      isRunning = false;
    }
  };
}
