"""What brings buyers in: their coupons, from the claim to the order that uses them."""
