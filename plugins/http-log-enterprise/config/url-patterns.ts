/**
 * What Kong's `typedefs.url` decides about a URL, as Lua patterns that travel in the dump: LuaSocket 3.0-rc1 takes the
 * URL apart (`socket.url.parse`), then there has to be a host, and then a scheme. Kong runs `match_none` first and
 * `match_all` last, which is its order of the two texts.
 */

const scheme = '^%w[%w+.-]*:';

/** The text before a first path, or the whole text, if there is no authority. */
const withoutAuthority = [
  '^[^%w/]',
  '^/[^/]',
  '^/$',
  '^%w[%w+.-]*[^%w+.:-]',
  '^%w[%w+.-]*$',
  `${scheme}[^/]`,
  `${scheme}/[^/]`,
  `${scheme}/?$`,
];

/** Authorities that are empty without user info and port. For LuaSocket, a query does not end them. */
const withoutHost = ['', '[^/#@]*@', ':[^/#:%]@]*', '[^/#@]*@:[^/#:%]]*'];

const emptyAuthorities = ['^', scheme].flatMap((start) =>
  withoutHost.flatMap((authority) => [`${start}//${authority}[/#]`, `${start}//${authority}$`]),
);

/** The checks of a URL with Kong's texts; the last one is what http-log accepts and can never deliver to. */
export const urlChecks = {
  match_none: [...withoutAuthority, ...emptyAuthorities].map((pattern) => ({
    pattern,
    err: 'missing host in url',
  })),
  match_all: [
    { pattern: scheme, err: 'missing scheme in url' },
    { pattern: '^[Hh][Tt][Tt][Pp][Ss]?:', err: 'the scheme has to be http or https' },
  ],
};
