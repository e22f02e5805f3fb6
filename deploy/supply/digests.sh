#!/bin/sh
# Says of each image that is pinned by digest what its tag means in the registry now. `--write` writes that into the files.
# It needs skopeo, or Docker with buildx. Exit code 1: a digest differs, 2: a registry could not be asked.
set -u
cd "$(dirname "$0")/../.."
files="deploy/Dockerfile docker-compose.yml"
status=0

digest_of() {
  if command -v skopeo > /dev/null; then
    # The digest of the index of all platforms, not of one platform's image.
    skopeo inspect --raw "docker://$1" | sha256sum | sed 's/^\([0-9a-f]*\).*/sha256:\1/'
  else
    docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$1"
  fi
}

# shellcheck disable=SC2086  # two files
for pinned in $(grep -ohE '[a-z]+(/[a-z]+)?:[A-Za-z0-9._-]+@sha256:[0-9a-f]{64}' $files | sort -u); do
  image=${pinned%@*}
  old=${pinned#*@}
  new=$(digest_of "$image" 2> /dev/null) || new=
  case $new in
    "$old") echo "$image: as pinned" ;;
    sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 | '')
      echo "$image: NOT COMPARED: the registry cannot be asked"
      status=2 ;;
    *)
      echo "$image: pinned $old, the tag is $new now"
      [ "${1:-}" = --write ] && sed -i "s|$image@$old|$image@$new|" $files
      [ $status = 2 ] || status=1 ;;
  esac
done
exit $status
