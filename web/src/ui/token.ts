/**
 * The viewer's token: comes in the fragment of the page's address, leaves it at once, and survives a reload.
 *
 * A fragment is never sent to a server, and an address without it can be shown and shared.
 */

const STORAGE_KEY = "render-stream-token";

export interface TokenPlace {
  location: { hash: string; pathname: string; search: string };
  history: { state: unknown; replaceState(state: unknown, unused: string, url: string): void };
  /** Read late: where storage is forbidden, the very look at it throws. */
  readonly sessionStorage: { getItem(key: string): string | null; setItem(key: string, value: string): void };
}

/** Return the token of `#token=...`, else the one kept from before a reload, else null. */
export function takeToken(place: TokenPlace): string | null {
  return takeNewToken(place) ?? kept(place);
}

/** Return the token of `#token=...`, which leaves the address and is kept for a reload, or null if there is none. */
export function takeNewToken(place: TokenPlace): string | null {
  const members = new URLSearchParams(place.location.hash.slice(1));
  const token = members.get("token");
  if (token === null) return null;
  members.delete("token");
  const { pathname, search } = place.location;
  const rest = members.toString();
  place.history.replaceState(place.history.state, "", pathname + search + (rest === "" ? "" : `#${rest}`));
  keep(place, token);
  return token;
}

function kept(place: TokenPlace): string | null {
  try {
    return place.sessionStorage.getItem(STORAGE_KEY);
  } catch {
    return null;
  }
}

function keep(place: TokenPlace, token: string): void {
  try {
    place.sessionStorage.setItem(STORAGE_KEY, token);
  } catch {
    // Without storage a reload asks for the whole address again.
  }
}
