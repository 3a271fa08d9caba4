With Redis, live calls are listed and steered (hang up, transfer, digits, say, hold, give up) through any node's API, whichever node has them.
