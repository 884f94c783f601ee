"""What the policy engine decides on: this request's condition keys, and the policies that apply to it."""
