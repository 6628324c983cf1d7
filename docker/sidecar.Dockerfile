# The plugin server alone, beside a Kong that needs no Node: Kong reaches it through a socket on a shared volume and
# reads the plugins from dumps (query_cmd = cat ...).
#   docker build -f docker/sidecar.Dockerfile -t kong-ts-sidecar .
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
# What the lockfile says that kong-ts needs at run time, and below it the package as npm publishes it.
WORKDIR /usr/local/lib/kong-ts
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && rm package.json package-lock.json .npmrc
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm pack --pack-destination /tmp && \
    mkdir -p /usr/local/lib/kong-ts/node_modules/kong-ts && \
    tar -xzf /tmp/kong-ts-*.tgz -C /usr/local/lib/kong-ts/node_modules/kong-ts --strip-components=1

FROM ${NODE_IMAGE}
COPY --from=build /usr/local/lib/kong-ts /usr/local/lib/kong-ts
COPY docker/kong-ts.sh /usr/local/bin/kong-ts
COPY docker/sidecar-entrypoint.sh /usr/local/bin/kong-ts-sidecar
# Not root; the socket is open to every uid (--socket-mode 0666), since Kong's user need not have this one.
RUN mkdir -p /run/kong-ts /var/lib/kong-ts && chown 1000:0 /run/kong-ts /var/lib/kong-ts && chmod 700 /var/lib/kong-ts
LABEL io.kong-ts.runtime=/usr/local/bin/kong-ts
USER 1000
VOLUME ["/run/kong-ts", "/var/lib/kong-ts"]
ENTRYPOINT ["/usr/local/bin/kong-ts-sidecar"]
CMD ["http-log-enterprise"]
# Whoever waits for it waits through a slow start, too.
HEALTHCHECK --interval=5s --timeout=10s --start-period=60s --retries=5 CMD /usr/local/bin/kong-ts status --socket "${KONG_TS_FOLDER:-/run/kong-ts}/kong-ts.socket"
