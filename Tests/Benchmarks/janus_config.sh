#!/bin/bash
# Writes a configuration for Janus into FOLDER: only video rooms over HTTP on 127.0.0.1:18088, media on ADDRESS.
# Usage: janus_config.sh FOLDER ADDRESS
set -euo pipefail
folder=$1
address=$2
library=$(dirname "$(find /usr/lib -path '*janus/plugins/libjanus_videoroom.so' -print -quit)")/..

mkdir -p "$folder/plugins" "$folder/transports"
ln -sf "$library"/plugins/libjanus_videoroom.so* "$folder/plugins/"
ln -sf "$library"/transports/libjanus_http.so* "$folder/transports/"
cat >"$folder/janus.jcfg" <<JCFG
general: {
  plugins_folder = "$folder/plugins"
  transports_folder = "$folder/transports"
  events_folder = "$folder/none"
  loggers_folder = "$folder/none"
  debug_level = 2
}
nat: {
  ice_enforce_list = "$address"
}
JCFG
cat >"$folder/janus.transport.http.jcfg" <<JCFG
general: {
  json = "compact"
  base_path = "/janus"
  http = true
  port = 18088
  ip = "127.0.0.1"
  https = false
}
JCFG
echo 'general: {}' >"$folder/janus.plugin.videoroom.jcfg"
