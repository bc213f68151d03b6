#!/usr/bin/env bash
# Packs what a bare x86-64 Linux machine with an NVIDIA driver, and nothing else, needs to run this project:
# Node, the built project with its production packages, Dawn, the Vulkan and EGL loaders with the X libraries that
# NVIDIA's driver links. Run it in the project's root after a build; it writes .gpu/ there (kept out of git).
# On the GPU machine, in the same root:
#   . .gpu/enter.sh                          unpacks once, sets PATH and the Vulkan variables, goes to the program
#   node dist/cli/main.js doctor             there is no npm: call the built program
# Results: give every command a file of its own under the folder that is kept, as soon as it has a result.
# Usage: bash .ci/gpu-pack.sh [PATH ...]   built paths to take along (default: dist graphs package.json)
#        WITH_ORT=1 bash .ci/gpu-pack.sh also onnxruntime-node, in a pack of its own (.gpu/ort.tar.xz), to compare with
set -euo pipefail
paths=("$@"); ((${#paths[@]})) || paths=(dist graphs package.json)
out=.gpu; mkdir -p "$out/deb"
grep -qx '/.gpu/' .git/info/exclude 2>/dev/null || echo '/.gpu/' >>.git/info/exclude
[[ -f $out/node.xz ]] || xz -3 -T0 -c "$(node -p process.execPath)" >"$out/node.xz"
stage=$(mktemp -d); trap 'rm -rf "$stage"' EXIT; mkdir -p "$stage/app" "$stage/ort/node_modules"
cp -r --parents "${paths[@]}" "$stage/app"
find "$stage/app/graphs" -name '*.safetensors' -delete 2>/dev/null || true   # they travel with the tree; enter.sh links them
cp package.json package-lock.json "$stage/app"
mkdir -p "$stage/app/node_modules"
npm ls --omit=dev --all --parseable 2>/dev/null | tail -n +2 | while read -r dir; do
  rel=${dir#"$PWD"/}; mkdir -p "$stage/app/$(dirname "$rel")"; cp -r "$dir" "$stage/app/$(dirname "$rel")/"
done
find "$stage/app/node_modules/webgpu/dist" -mindepth 1 -maxdepth 1 ! -name linux-x64 -exec rm -rf {} + 2>/dev/null || true
tar -C "$stage/app" -c . | xz -3 -T0 >"$out/app.tar.xz"
rm -f "$out/ort.tar.xz"
if [[ ${WITH_ORT:-} && -d node_modules/onnxruntime-node ]]; then
  for p in onnxruntime-node onnxruntime-common; do cp -r "node_modules/$p" "$stage/ort/node_modules/"; done
  find "$stage/ort/node_modules/onnxruntime-node/bin" -mindepth 2 -type d \( -name darwin -o -name win32 -o -name arm64 \) -prune -exec rm -rf {} +
  tar -C "$stage/ort" -c . | xz -3 -T0 >"$out/ort.tar.xz"
fi
for p in libvulkan1 libegl1 libglvnd0 libopengl0 libgl1 libglx0 libgles2 libx11-6 libxext6 libxcb1 libxau6 libxdmcp6 libbsd0 libmd0; do
  ls "$out/deb/${p}_"*.deb >/dev/null 2>&1 || (cd "$out/deb" && apt-get download "$p" >/dev/null 2>&1) || echo "gpu-pack: no package $p (go on without)" >&2
done
cat >"$out/enter.sh" <<'ENTER'
# sourced in the root of the carried tree
TREE=$PWD
GPU_HOME=${GPU_HOME:-$HOME/unetc-gpu}
if [ ! -x "$GPU_HOME/bin/node" ]; then
  mkdir -p "$GPU_HOME/bin" "$GPU_HOME/app"
  xz -dc .gpu/node.xz >"$GPU_HOME/bin/node" && chmod +x "$GPU_HOME/bin/node"
  tar -C "$GPU_HOME/app" -xJf .gpu/app.tar.xz
  [ -f .gpu/ort.tar.xz ] && tar -C "$GPU_HOME/app" -xJf .gpu/ort.tar.xz
  ln -sf "$TREE"/graphs/*.safetensors "$GPU_HOME/app/graphs/" 2>/dev/null
  for f in .gpu/deb/*.deb; do dpkg -x "$f" /; done; ldconfig
fi
export PATH=$GPU_HOME/bin:$PATH XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-$GPU_HOME}
if [ -z "${VK_DRIVER_FILES:-}" ]; then
  icd=$(ls /etc/vulkan/icd.d/nvidia_icd*.json /usr/share/vulkan/icd.d/nvidia_icd*.json /usr/local/*/share/vulkan/icd.d/nvidia_icd*.json 2>/dev/null | head -n 1)
  if [ -z "$icd" ]; then
    icd=$GPU_HOME/nvidia_icd.json
    printf '{"file_format_version":"1.0.1","ICD":{"library_path":"libEGL_nvidia.so.0","api_version":"1.4.0"}}\n' >"$icd"
  fi
  export VK_DRIVER_FILES="$icd"
fi
cd "$GPU_HOME/app"
ENTER
du -sh "$out" | cut -f1
