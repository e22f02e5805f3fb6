"""One module for each kind of receiver. Each names its `Kind` as ``KIND``; the registry finds it by being here."""
