"""A factory that is not there: the same protocols from the other end, and a reference MES."""
