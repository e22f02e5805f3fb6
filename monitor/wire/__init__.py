"""The codecs between bytes, on topics and in changelogs, and objects of the core."""
