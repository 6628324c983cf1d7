import type { RouteEntity } from '../entities/types.ts';

/** The rest of the path after the matched part, without a leading dot segment that would climb out. */
export function sanitizePostfix(postfix: string): string {
  if (postfix === '.' || postfix === '..') return '';
  if (postfix.startsWith('./')) return postfix.slice(2);
  if (postfix.startsWith('../')) return postfix.slice(3);
  return postfix;
}

/**
 * The path that goes to the upstream: exactly one slash between base and rest, trailing slashes follow the request.
 * Kong 3.9.3's router knows no other way: `path_handling: v1` counts for the traditional flavour only.
 *
 * @param base the service's path, `/` if it has none
 * @param path the normalized request path
 * @param postfix the rest of `path` after the part that the route matched
 */
export function upstreamPath(
  route: Pick<RouteEntity, 'strip_path'>,
  base: string,
  path: string,
  postfix: string,
): string {
  if (base.endsWith('/')) {
    if (!route.strip_path) return base + path.slice(1);
    if (postfix === '') {
      if (base === '/') return '/';
      return path.endsWith('/') ? base : base.slice(0, -1);
    }
    return postfix.startsWith('/') ? base.slice(0, -1) + postfix : base + postfix;
  }
  if (route.strip_path) {
    if (postfix === '') return path.length > 1 && path.endsWith('/') ? `${base}/` : base;
    return postfix.startsWith('/') ? base + postfix : `${base}/${postfix}`;
  }
  return path === '/' ? base : base + path;
}
