"""The calls of queries and updates to other servers, as far as the operator has listed them."""
