# The sandbox gateway as an image that looks like Kong's from outside: its ports, environment variables, Admin API and
# the commands that tests use (kong reload, kong health). For development and tests only.
#   docker build -f docker/sandbox.Dockerfile -t kong-ts-sandbox .
# Without a registry: npm run sandbox:image, which takes the settings from the last stage of this file.
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
COPY docker/sandbox/kong /usr/local/bin/kong
COPY docker/sandbox/health.mjs /usr/local/lib/kong-ts/sandbox-health.mjs
# uid 1000 is `kong` in Kong's image and `node` here.
RUN mkdir -p /usr/local/kong /usr/local/kong-ts/plugins /usr/local/kong-ts/data && chown -R 1000:0 /usr/local/kong /usr/local/kong-ts && \
    chmod 700 /usr/local/kong-ts/data
LABEL io.kong-ts.runtime=/usr/local/bin/kong-ts
LABEL io.kong-ts.sandbox=true
ENV KONG_PREFIX=/usr/local/kong
ENV KONG_PROXY_LISTEN="0.0.0.0:8000, 0.0.0.0:8443 ssl"
ENV KONG_ADMIN_LISTEN=127.0.0.1:8001
USER 1000
EXPOSE 8000 8443 8001 9000 9443
HEALTHCHECK --interval=10s --timeout=10s --retries=10 CMD ["kong", "health"]
CMD ["kong", "docker-start"]
