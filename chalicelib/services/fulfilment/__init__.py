"""How buyers get their goods: parcels, pickup stores, receipt, freight."""
