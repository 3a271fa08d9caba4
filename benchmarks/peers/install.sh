#!/bin/sh
# Installs the peers of `make bench BENCH="--peer ..."`, each into an environment of its own.
set -eu
cd "$(dirname "$0")/../.."
case ${1:-} in
pipecat)
    [ -x .cache/pipecat/bin/python ] || python3 -m venv .cache/pipecat
    # The version that README's figures are of.
    .cache/pipecat/bin/pip install -q 'pipecat-ai[websocket]==1.14.0' uvicorn
    ;;
*)
    echo "usage: $0 pipecat" >&2
    exit 2
    ;;
esac
