# Image of wanctl without a shell, for amd64 and arm64. The build is not emulated: the compiler runs
# on the build platform and cross-compiles for the target.
#
# Tags are for readers; the digests are pulled. Both are those of multi-platform indexes.

FROM --platform=$BUILDPLATFORM rust:1.95.0-bookworm@sha256:6258907abe69656e41cd992e0b705cdcfabcbbe3db374f92ed2d47121282d4a1 AS build
ARG TARGETARCH
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]

# SQLite and ring are C and assembly: they need a C compiler for the target, and Rust needs its
# linker. The image has those of the build platform.
# hadolint ignore=DL3008
RUN case "$TARGETARCH" in \
        amd64) rust=x86_64 debian=x86-64 upper=X86_64 ;; \
        arm64) rust=aarch64 debian=aarch64 upper=AARCH64 ;; \
        *) echo "no image for $TARGETARCH: amd64 and arm64 are known" >&2; exit 1 ;; \
    esac; \
    if [ "$TARGETARCH" != "$(dpkg --print-architecture)" ]; then \
        apt-get update; \
        apt-get install -y --no-install-recommends \
            "gcc-$debian-linux-gnu" "libc6-dev-$TARGETARCH-cross"; \
        rm -rf /var/lib/apt/lists/*; \
    fi; \
    rustup target add "$rust-unknown-linux-gnu"; \
    printf 'export %s\n' \
        "CARGO_BUILD_TARGET=$rust-unknown-linux-gnu" \
        "CC_${rust}_unknown_linux_gnu=$rust-linux-gnu-gcc" \
        "CARGO_TARGET_${upper}_UNKNOWN_LINUX_GNU_LINKER=$rust-linux-gnu-gcc" \
        > /target.env

WORKDIR /src
COPY . .
# The caches keep compiled dependencies between builds, one per target.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,id=wanctl-$TARGETARCH,sharing=locked \
    . /target.env; \
    cargo build --profile dist --locked; \
    install -D -t /out/bin "target/$CARGO_BUILD_TARGET/dist/wanctl"; \
    ln -s wanctl /out/bin/wanctl-history; \
    install -d /out/data

# glibc, CA certificates, time zones; no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot@sha256:9dac0a79194e45a7da0158a9c6da57b217585af0786db3845d1f0ec1a0dd182f
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="wanctl" \
      org.opencontainers.image.description="Prometheus-native exporter-controller that keeps latency low on links whose capacity moves" \
      org.opencontainers.image.licenses="Apache-2.0 OR MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /out/bin/ /usr/local/bin/
# A named volume inherits this owner, so that wanctl can write the history.
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
VOLUME /data
EXPOSE 9102
ENTRYPOINT ["/usr/local/bin/wanctl"]
CMD ["demo", "--listen", "0.0.0.0:9102", "--data-dir", "/data"]
