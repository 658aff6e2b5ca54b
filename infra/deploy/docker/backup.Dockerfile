# syntax=docker/dockerfile:1
# Backup, restore and drill: the core's code with PostgreSQL's client programs, at least as new as the server.
# docker build -f infra/deploy/docker/backup.Dockerfile -t edgewise-backup .
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="Edgewise backup"
ARG POSTGRES_VERSION=17
# PostgreSQL's own packages: Debian's are older than most servers, and pg_dump refuses a server newer than itself.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates postgresql-common \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && apt-get install -y --no-install-recommends "postgresql-client-${POSTGRES_VERSION}" \
    && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production \
    EDGEWISE_BACKUP_DIR=/backups
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json wrangler.toml ./
COPY shared ./shared
COPY core ./core
COPY infra/config/models.toml ./infra/config/models.toml
COPY infra/config/knowledge ./infra/config/knowledge
COPY infra/config/word-lists ./infra/config/word-lists
COPY infra/operate/backup ./infra/operate/backup
COPY infra/cli/backup.ts infra/cli/restore.ts infra/cli/restore-drill.ts ./infra/cli/
COPY infra/local/command.ts infra/local/settings.ts ./infra/local/
RUN mkdir /backups && chown node:node /backups
VOLUME /backups
USER 1000:1000
CMD ["node", "infra/cli/backup.ts"]
