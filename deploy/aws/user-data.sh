#!/bin/sh
# What a runner's machine does at its first boot: it joins the fleet as a node.
#
# The runner manager puts the answers before this script when it launches an
# instance itself. In the launch template of an Auto Scaling group, set them here:
: "${HOSTLER_CONTROL:=}"        # http://10.0.0.5:3010
: "${HOSTLER_JOIN_TOKEN:=}"     # a token of `hostler node token --uses N --ttl T`, or
: "${HOSTLER_JOIN_PARAMETER:=}" # the SSM parameter (SecureString) that holds one
: "${HOSTLER_LABELS:=}"         # KEY=VALUE KEY=VALUE, as the pool's selector
: "${HOSTLER_PROGRAM:=/usr/local/bin/hostler}"
: "${HOSTLER_RUNNER:=}"         # empty: the instance's tag hostler:runner says

set -eu
umask 077

# The instance metadata service, version 2: asked with a session token.
metadata() {
    session=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token) || return 1
    curl -sf -H "X-aws-ec2-metadata-token: $session" "http://169.254.169.254/latest/$1"
}

# An instance of a group is given its runner some time after it has started.
while [ -z "$HOSTLER_RUNNER" ]; do
    HOSTLER_RUNNER=$(metadata meta-data/tags/instance/hostler:runner) || sleep 2
done

if [ -z "$HOSTLER_JOIN_TOKEN" ] && [ -n "$HOSTLER_JOIN_PARAMETER" ]; then
    HOSTLER_JOIN_TOKEN=$(aws ssm get-parameter --with-decryption --name "$HOSTLER_JOIN_PARAMETER" \
        --query Parameter.Value --output text)
fi

data=/var/lib/hostler/node
token=/run/hostler/join-token
mkdir -p "$data" /run/hostler
[ -z "$HOSTLER_JOIN_TOKEN" ] || printf '%s' "$HOSTLER_JOIN_TOKEN" >"$token"

set -- "$HOSTLER_PROGRAM" node up --control "$HOSTLER_CONTROL" --data "$data" \
    --name "runner-${HOSTLER_RUNNER#node-placeholder-}" --label "runner=$HOSTLER_RUNNER"
for label in $HOSTLER_LABELS; do set -- "$@" --label "$label"; done

# User data and the instance's role are for root alone: work must not read them.
if command -v iptables >/dev/null 2>&1; then
    iptables -w -I OUTPUT -d 169.254.169.254 -m owner ! --uid-owner 0 -j REJECT || true
fi

# One word each line, so that nothing in them is taken for anything else.
printf '%s\n' "$@" >/var/lib/hostler/node.words
cat >/usr/local/sbin/hostler-node-start <<'START'
#!/bin/sh
# Starts the node; it needs the join token only once.
set -f
IFS='
'
set -- $(cat /var/lib/hostler/node.words)
token=/run/hostler/join-token
registered=/var/lib/hostler/node/registration.json
if [ -e "$registered" ]; then
    rm -f "$token"
elif [ -e "$token" ]; then
    set -- "$@" --join-token-file "$token"
    (while [ ! -e "$registered" ]; do sleep 1; done; rm -f "$token") &
fi
exec "$@"
START
chmod 700 /usr/local/sbin/hostler-node-start

cat >/etc/systemd/system/hostler-node.service <<'UNIT'
[Unit]
Description=Hostler node
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=/usr/local/sbin/hostler-node-start
KillMode=process
Restart=always
RestartSec=2
TasksMax=infinity

[Install]
WantedBy=multi-user.target
UNIT
systemctl daemon-reload
systemctl enable --now hostler-node.service
