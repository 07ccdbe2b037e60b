"""How buyers get their goods: parcels, pickup in a store, receipt."""
