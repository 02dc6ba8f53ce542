#!/bin/sh
# wanctl as it would run beside a RouterOS, for a closed loop on a real kernel's CAKE: the bench
# gives the API's address, the queues, the reflectors and the nominal rates in LAB_ variables.
# lab: netns=ctl
set -eu

work=$LAB_WORK
password=$work/router-password
(umask 077 && printf '%s\n' "$LAB_API_PASSWORD" > "$password")

fingerprint=$(openssl x509 -in "$LAB_API_CA" -noout -fingerprint -sha256 | cut -d= -f2)

# What an owner would write down who knows what was bought and nothing more: a tenth of it at
# worst, half of it to begin with, and all that it may ever give.
share() { awk "BEGIN { printf \"%.3f\", $1 * $2 }"; }
reflectors() {
    for address in $1; do printf '      - %s\n' "$address"; done | head -6
}

cat > "$work/wanctl.yaml" <<EOF
router:
  url: $LAB_API_TLS_URL
  fingerprint_sha256: "$fingerprint"
  user: $LAB_API_USER
  password_file: $password
history:
  path: $work/history.db
wans:
  - name: wan1
    source: $LAB_WAN1_SOURCE
    reflectors:
$(reflectors "$LAB_WAN1_REFLECTORS")
    download:
      queue: $LAB_WAN1_DL_QUEUE
      floor_mbps: $(share "$LAB_WAN1_DOWN_MBIT" 0.05)
      base_mbps: $(share "$LAB_WAN1_DOWN_MBIT" 0.5)
      ceiling_mbps: $(share "$LAB_WAN1_DOWN_MBIT" 0.98)
    upload:
      queue: $LAB_WAN1_UL_QUEUE
      floor_mbps: $(share "$LAB_WAN1_UP_MBIT" 0.05)
      base_mbps: $(share "$LAB_WAN1_UP_MBIT" 0.5)
      ceiling_mbps: $(share "$LAB_WAN1_UP_MBIT" 0.98)
EOF
exec "${WANCTL:-$LAB_CONTROLLER/../../target/debug/wanctl}" run --config "$work/wanctl.yaml"
