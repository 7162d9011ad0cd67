use wengert_core::*; use wengert_nn::*;
fn main(){ manual_seed(0); let l=Lstm::builder(3,4).num_layers(2).build().unwrap();
let x=Variable::new(Tensor::<f32>::randn([4,2,3]));
let y=record(||{let (o,_)=l.forward(&x,None).unwrap(); o.square().mean()}); y.backward().unwrap();
println!("{:#}",Tape::of(&y));
let l=Rnn::builder(3,4).build().unwrap();
let y=record(||{let (o,_)=l.forward(&x,None).unwrap(); o.square().mean()}); y.backward().unwrap();
println!("{:#}",Tape::of(&y));
for o in operations::<f64>() { let mut c=|_:usize|0; let f=o.fit(&mut c,&[3,3]).or_else(||o.fit(&mut c,&[6])); print!("{} {:?}; ",o.name(),f.map(|f|f.attributes.to_string())); }
println!();}
