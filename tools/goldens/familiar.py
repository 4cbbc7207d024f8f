"""Writes test/golden/programs/{algorithms,nested}.json: programs as users of NumPy, JAX and PyTorch write them, done there.

usage: python tools/goldens/familiar.py        (needs numpy, scipy, torch and jax; run from the root of the repository)
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import scipy.ndimage as nd
import torch
from case_files import CaseFile
from jax import nn
from scipy.interpolate import CubicSpline

jax.config.update('jax_enable_x64', True)
rng = np.random.default_rng(1)
files = {name: CaseFile(f'test/golden/programs/{name}.json') for name in ('algorithms', 'nested')}
sources = {name: open(f'test/golden/programs/{name}.mlx').read() for name in files}


def case(function, arguments, result, tolerance=None):
    name = next(n for n, text in sources.items() if f'fn {function}(' in text)
    size = {'pack4': ('K', 2, 1), 'odd_even': ('N', 2, 0)}.get(function)
    dims = {size[0]: arguments[0].shape[size[2]] // size[1]} if size else None
    files[name].add(name, function, arguments, result, tolerance, dims)


def f(*shape):
    return (rng.standard_normal(shape) * 0.5).astype(np.float32) if shape else np.float32(rng.standard_normal())


def I(v):
    return np.array(v, np.int32)


def F(v):
    return np.array(v, np.float32)


def order(like, t):
    """Trees of jax come back with sorted keys."""
    if isinstance(like, dict):
        return {k: order(like[k], t[k]) for k in like}
    return [order(a, b) for a, b in zip(like, t)] if isinstance(like, (list, tuple)) else t


# algorithms
b=rng.random(9)<.5; rows=[]; c=b
for _ in range(5):
    code=np.roll(c,1)*4+c*2+np.roll(c,-1)*1; c=((110>>code)&1)==1; rows.append(c)
case('rule',[b,np.uint8(110)],np.stack(rows))
M=(1<<64)-1; s=0x123456789abcdef0; out=[]; st=s
for _ in range(6):
    st^=st>>12; st^=(st<<25)&M; st^=st>>27; out.append(st*0x2545f4914f6cdd1d&M)
case('xorshift_n',[np.uint64(s)],np.array(out,np.uint64))
for t in (b'hello',b''):
    h=0xcbf29ce484222325
    for c in t: h=(h^c)*0x100000001b3&M
    case('fnv1a',[np.frombuffer(t,np.uint8)],np.uint64(h))
x=rng.integers(0,65536,4).astype(np.uint32);y=rng.integers(0,65536,4).astype(np.uint32)
mo=[sum((((int(a)>>i)&1)<<(2*i))|(((int(b)>>i)&1)<<(2*i+1)) for i in range(16)) for a,b in zip(x,y)]; case('morton',[x,y],np.array(mo,np.uint32))
x=F([1.5,-0.0,-3.25,1e-40,np.inf]); u=x.view(np.uint32); case('bits_of',[x],[u>>31,((u>>23)&255).astype(np.int32)-127,u&0x7fffff])
x=rng.integers(-8,8,(2,6)).astype(np.int8); u=(x&15).astype(np.uint8); pk=u[:,::2]|(u[:,1::2]<<4); case('pack4',[x],pk.astype(np.uint8)); case('unpack4',[pk.astype(np.uint8)],x)
w=f(2,8); g=w.reshape(2,2,4); s=np.maximum(np.abs(g).max(-1,keepdims=True)/np.float32(127),np.float32(1e-8)); q=np.clip(np.round(g/s),-127,127).astype(np.int8); case('quantize',[w],[q.reshape(2,8),s[...,0],(q.astype(np.float32)*s).reshape(2,8)])
x=f(6); fq=np.round(x/np.float32(.25))*np.float32(.25); case('ste',[x],[fq,2*fq])
def lcs(a,b):
    d=np.zeros((len(a)+1,len(b)+1),int)
    for i in range(len(a)):
        for j in range(len(b)): d[i+1,j+1]=d[i,j]+1 if a[i]==b[j] else max(d[i,j+1],d[i+1,j])
    return I(d[-1,-1])
for m,n in ((7,9),(0,3),(3,0),(1,1)):
    a,b=I(rng.integers(0,3,m)),I(rng.integers(0,3,n)); case('lcs',[a,b],lcs(a,b))
w,v=I([3,7,5,9,2]),I([4,10,6,13,3]); d=np.zeros(21,int)
for i in range(5):
    for c in range(20,w[i]-1,-1): d[c]=max(d[c],d[c-w[i]]+v[i])
case('knapsack',[w,v],I(d[20]))
a,b=f(4),f(5)
def dtw(a):
    D=[[jnp.float32(1e10)]*6 for _ in range(5)]; D[0][0]=jnp.float32(0)
    for i in range(4):
        for j in range(5): D[i+1][j+1]=abs(a[i]-b[j])+jnp.minimum(jnp.minimum(D[i][j+1],D[i][j]),D[i+1][j])
    return D[4][5]
case('dtw',[a,b],list(jax.value_and_grad(dtw)(a)),1e-4)
d=np.where(rng.random((5,5))<.5,rng.random((5,5)),np.inf).astype(np.float32); np.fill_diagonal(d,0); e=d.copy()
for k in range(5): e=np.minimum(e,e[:,k][:,None]+e[k])
case('floyd',[d],e)
case('floyd',[np.zeros((0,0),np.float32)],np.zeros((0,0),np.float32))
x=f(16); case('bitonic',[x],np.sort(x)); x=I(rng.permutation(10)); case('odd_even',[x],np.sort(x)); case('odd_even',[I([2,1])],I([1,2])); case('odd_even',[I([])],I([]))
x=rng.integers(0,256,(4,5)).astype(np.uint8); cdf=np.cumsum(np.bincount(x.ravel(),minlength=256))
x=I([1,1,2,2,2,3]); case('run_lengths',[x],I([1,2,1,2,3,1])); case('run_lengths',[I([5])],I([1]))
x,seg,w=f(6),I([0,2,0,2,2,0]),f(6)
def sm(x):
    m=jax.ops.segment_max(x,seg,3); e=jnp.exp(x-m[seg]); return e/jnp.zeros(3).at[seg].add(e)[seg]
case('segment_softmax',[x,seg],sm(x)); case('segment_softmax_grad',[x,seg,w],jax.grad(lambda x:jnp.sum(w*sm(x)))(x),1e-4)
lp=np.array(nn.log_softmax(2*f(5,5)),np.float32)
beams=[([2],0.0)]
for _ in range(4):
    nx=[(p+[v],s+lp[p[-1],v]) for p,s in beams for v in range(5)]; nx.sort(key=lambda t:-t[1]); beams=nx[:3]
case('beam',[lp,I(2)],[I([b[0] for b in beams]),F([b[1] for b in beams])],1e-4)
p,q=np.array(nn.softmax(f(4,5))),np.array(nn.softmax(f(4,5))); dr=I([1,4,0,2]); u=F([.1,.9,.95,.2]); acc=u<p[range(4),dr]/q[range(4),dr]; n=int(np.cumprod(acc).sum()); j=min(n,3); r=np.maximum(p[j]-q[j],0); case('speculative',[p,q,dr,u],[I(n),r/max(r.sum(),1e-9)],1e-4)
S,O,T=2,1,5; h=f(S,S); m={'a':f(S,S),'c':f(O,S),'q':h@h.T+.1*np.eye(S,dtype=np.float32),'r':np.eye(O,dtype=np.float32)}; m={k:v.astype(np.float32) for k,v in m.items()}; ys=f(T,O)
A,C,Q,Rr=[m[k].astype(float) for k in 'acqr']; mu=np.zeros(S);P=np.eye(S); fl=[]
for y in ys:
    mp=A@mu;pp=A@P@A.T+Q;s=C@pp@C.T+Rr;K=pp@C.T@np.linalg.inv(s);mu=mp+K@(y-C@mp);P=pp-K@C@pp;fl.append((mu,P,mp,pp))
ms,ps=[fl[-1][0]],[fl[-1][1]]
for t in range(T-2,-1,-1):
    g=fl[t][1]@A.T@np.linalg.inv(fl[t+1][3]); ms.append(fl[t][0]+g@(ms[-1]-fl[t+1][2])); ps.append(fl[t][1]+g@(ps[-1]-fl[t+1][3])@g.T)
rts_exp=[F(ms[::-1]),F(ps[::-1])]
case('rts',[m,ys],rts_exp,1e-3)
for n in (5,1):
    a,b,c,d=f(n),3+f(n),f(n),f(n); M=lambda b:jnp.diag(b)+ (jnp.diag(a[1:],-1)+jnp.diag(c[:-1],1) if n>1 else 0)
    so=lambda b,d:jnp.linalg.solve(M(b),d)
    case('thomas',[a,b,c,d],so(b,d),1e-4); case('thomas_grad',[a,b,c,d],list(jax.grad(lambda b,d:jnp.sum(so(b,d)**2),(0,1))(b,d)),1e-4)
re,im=f(8),f(8); z=np.fft.fft(re+1j*im); case('fft8',[re,im],[F(z.real),F(z.imag)],1e-4)
x=f(4,5); case('median3',[x],nd.median_filter(x,3,mode='nearest'))
m=rng.random((6,6))<.5; lab,n=nd.label(m,np.ones((3,3))); ids=1+np.arange(36).reshape(6,6); out=np.zeros((6,6),np.int32)
for i in range(1,n+1): out[lab==i]=ids[lab==i].max()
case('components',[m],out)
for T in (6,2,0):
    x=f(T); q=np.zeros(4,np.float32)
    for t in range(T): q[t%4]=x[t]
    case('queue',[x],q)
lp=torch.log_softmax(torch.tensor(f(6,4)*2),-1)
for lab in ([1,2],[2,2],[3]):
    z=lp.clone().requires_grad_(True); l=torch.nn.functional.ctc_loss(z[:,None],torch.tensor([lab]),(6,),(len(lab),),blank=0,reduction='sum')
    # plain gradient by jax
    ext=np.array([v for t in lab for v in (0,t)]+[0])
    def nl(p):
        S=len(ext); a=[p[0,ext[s]] if s<2 else -1e30 for s in range(S)]
        for t in range(1,6):
            a=[jax.nn.logsumexp(jnp.stack([a[s]]+([a[s-1]] if s>0 else [])+([a[s-2]] if s>1 and ext[s]!=0 and ext[s]!=ext[s-2] else [])))+p[t,ext[s]] for s in range(S)]
        return -jax.nn.logsumexp(jnp.stack(a[-2:]))
    assert abs(float(l)-float(nl(lp.numpy())))<1e-4
    case('ctc',[lp.numpy(),I(lab)],[F(l.item()),jax.grad(nl)(lp.numpy())],1e-3)

# nested
a=F([2,9,.25,100]); case('newton_roots',[a],np.sqrt(a),1e-4)
x=F([.5,-2,3,-.1]); case('cond_grad',[x],np.where(x>0,.5/np.sqrt(np.abs(x)),-3*x**2).astype(np.float32),1e-4)
i,x=I([0,2,1,0]),f(4,3); A=lambda x:jnp.stack([[jnp.tanh,nn.relu,lambda v:v**2][k](v) for k,v in zip(i,x)])
case('activations',[i,x],A(x)); case('activations_grad',[i,x],jax.grad(lambda x:jnp.sum(jnp.sin(A(x))))(x),1e-4)
i5=I([-1,5,1,0]); A5=lambda x:jnp.stack([[jnp.tanh,nn.relu,lambda v:v**2][min(max(k,0),2)](v) for k,v in zip(i5,x)]); case('activations',[i5,x],A5(x))
for n in (4,1,0):
    w=f(n)
    def hs(w):
        s=.5
        for t in range(n): s=jnp.tanh(s*w[t]+w[t])
        return s+0*jnp.sum(w)
    case('hess_scan',[w],jax.hessian(hs)(w),1e-4)
x=f(4); fn=lambda x:jnp.sum(x**4)+jnp.prod(jnp.cos(x)); case('laplacian',[x],jnp.trace(jax.hessian(fn)(x)),1e-4)
p={'a':f(2,3),'b':f(3),'c':f(3)}; xs,ts=f(5),f(5)
u=lambda p,x,t:jnp.dot(jnp.tanh(jnp.stack([x,t])@p['a']+p['b']),p['c'])
l,g=jax.value_and_grad(lambda p:jnp.mean(jax.vmap(lambda x,t:(jax.grad(u,2)(p,x,t)-.1*jax.grad(jax.grad(u,1),1)(p,x,t))**2)(xs,ts)))(p); case('pinn',[p,xs,ts],[l,order(p,g)],1e-3)
w,x=f(3,2,2),f(2)
def rm(w):
    h=x
    for t in range(3): h=jnp.tanh(w[t]@h)
    return jnp.sum(h**2)
case('remat',[w,x],jax.grad(rm)(w),1e-4)
x=f(3); case('safe_norm_grad',[x],x/np.linalg.norm(x),1e-4); case('safe_norm_grad',[F([0,0])],F([0,0])); case('safe_norm_grad',[F([])],F([]))
x=f(3); case('composed',[x],-(x+1)**2)
s={'w':f(3),'step':I(4),'k':np.array([1,2],np.uint32)}; case('int_leaf',[s],8*s['w'])
def render():
    out=np.zeros((6,6)); c=np.array([0,0,3.])
    sd=lambda p:min(np.linalg.norm(p-c)-1,p[1]+1.5)
    for i in range(6):
        for j in range(6):
            d=np.array([j/3-.83,.83-i/3,1.5]); d/=np.linalg.norm(d); t=0
            for _ in range(40):
                if not(sd(t*d)>1e-3 and t<20): break
                t+=sd(t*d)
            q=t*d
            n=(q-c)/np.linalg.norm(q-c) if np.linalg.norm(q-c)-1<q[1]+1.5 else np.array([0,1.,0])
            out[i,j]=max(n@[.6,.7,-.4],0) if t<20 else -1
    return F(out)
case('render',[],render(),1e-2)
x=F([0,.5,1.2,2,3.1]);y=f(5);q=F([0,.3,1.2,2.5,3.1]); case('spline',[x,y,q],F(CubicSpline(x,y,bc_type='natural')(q)),1e-3)
x=F([0,.5,1.2]);y=f(3); case('spline',[x,y,q[:2]],F(CubicSpline(x,y,bc_type='natural')(q[:2])),1e-3)
for N in (3,1):
    w=f(N,N)*F(.6); b=f(N)
    def fp(w,b):
        z=jnp.zeros(N)
        for _ in range(100): z=jnp.tanh(w@z+b)
        return z
    case('deq',[w,b],[fp(w,b),list(jax.grad(lambda w,b:jnp.sum(fp(w,b)**2),(0,1))(w,b))],1e-4)
w,y0,tg=f(3,3),f(4,3),f(4,3)
def nl(w):
    fn=lambda y:jnp.tanh(y@w); y=y0; h=.1
    for _ in range(10):
        k1=fn(y);k2=fn(y+h/2*k1);k3=fn(y+h/2*k2);k4=fn(y+h*k3); y=y+h/6*(k1+2*k2+2*k3+k4)
    return jnp.mean((y-tg)**2)
l,g=jax.value_and_grad(nl)(w); case('node_grad',[w,y0,tg,I(3)],[l,g],1e-4)
g,s,y=f(4),f(3,4),f(3,4); y=s+F(.1)*y
q=g.astype(np.float64); rho=1/(s*y).sum(1); al=[0]*3
for i in (2,1,0): al[i]=rho[i]*s[i]@q; q=q-al[i]*y[i]
r=s[-1]@y[-1]/(y[-1]@y[-1])*q
for i in range(3): r=r+s[i]*(al[i]-rho[i]*y[i]@r)
case('two_loop',[g,s,y],-r,1e-4)
case('newton_cg',[F([1.2,0.9,1.1]),I(8)],F([1,1,1]),1e-3)
for sh in ((3,4),(1,1),(0,3),(3,0),(1,4)):
    x=f(*sh); 
    with np.errstate(all='ignore'):
        lse=np.log(np.exp(x).sum()) if x.size else np.float32(-np.inf); mn=(x.sum(1,keepdims=True)/np.float32(sh[1])).astype(np.float32)
    case('edges',[x],[x.sum(0),x.prod(1),np.cumsum(x,0),x.T@x,F(lse),I((x!=0).sum()),mn,np.concatenate([x,x]),np.sort(x,0).ravel()],1e-4)
    case('edge_grads',[x],[jax.grad(lambda x:jnp.sum(jnp.cumsum(x,1)**2))(x),jax.grad(lambda x:jnp.sum(jnp.sort(x,1)*x))(x),jax.grad(lambda x:jnp.sum(x.T@x))(x)],1e-4)
for K in (4,1,0):
    x,i,v=f(2,3),I(rng.integers(-3,3,(2,K))),f(2,K)
    i=np.array(rng.permuted(np.tile(I([0,1,2,0]),(2,1)),axis=1)[:,:K],np.int32)
    # multiply once per occurrence
    fn=lambda x,i,v:x.at[i].add(v**2).at[i].mul(2.)
    g=lambda x,v:jnp.sum(jnp.sin(jax.vmap(fn)(x,i,v)))
    if K<=1:
        gx,gv=jax.grad(g,(0,1))(x,v)
    else:
        m=np.stack([2.**np.bincount(r,minlength=3) for r in i])
        g=lambda x,v:jnp.sum(jnp.sin(jax.vmap(lambda x,i,v,m:x.at[i].add(v**2)*m)(x,i,v,m)))
        gx,gv=jax.grad(g,(0,1))(x,v)
    case('scatter_nest',[x,i,v],[jax.vmap(fn)(x,i,v),np.take_along_axis(x,i,1),gx,gv],1e-4)
q,k,v=f(2,4,5,3),f(2,2,5,3),f(2,2,5,3); kk,vv=np.repeat(k,2,1),np.repeat(v,2,1); s=np.einsum('bhnd,bhmd->bhnm',q,kk)/np.sqrt(3); s=np.where(np.tril(np.ones((5,5)))>0,s,-np.inf); case('gqa',[q,k,v],F(np.array(nn.softmax(s))@vv),1e-4)
E,D,H,N=4,3,5,6; m={'gate':f(D,E),'up':f(E,D,H),'down':f(E,H,D)}; x=f(N,D)
def moe(x,m):
    w,i=jax.lax.top_k(x@m['gate'],2); w=nn.softmax(w); h=nn.silu(jnp.einsum('nd,nkdh->nkh',x,m['up'][i])); return jnp.einsum('nk,nkh,nkhd->nd',w,h,m['down'][i])
case('moe',[x,m],moe(x,m),1e-4); case('moe_grad',[x,m],order(m,jax.grad(lambda m:jnp.sum(jnp.sin(moe(x,m))))(m)),1e-3)
for E in (7,0):
    N=5; x=f(N,3); w=f(3,2); src=I(rng.integers(0,N,E)); dst=I(rng.integers(0,N,E))
    def gcn(x,w):
        deg=jnp.zeros(N).at[dst].add(1.); no=jax.lax.rsqrt(jnp.maximum(deg,1)); return nn.relu(jnp.zeros((N,2)).at[dst].add((x@w)[src]*(no[src]*no[dst])[:,None]))
    case('gcn',[x,src,dst,w],gcn(x,w),1e-4); case('gcn_grad',[x,src,dst,w],list(jax.grad(lambda x,w:jnp.sum(gcn(x,w)**2),(0,1))(x,w)),1e-4)

images=np.random.default_rng(2)
for image in (images.integers(30,120,(9,13)),images.integers(0,256,(5,7)),np.full((2,3),200),np.array([[0,255]])):
    image=image.astype(np.uint8); below=np.cumsum(np.bincount(image.ravel(),minlength=256)); darkest=below[below>0].min()
    levels=np.round((below-darkest).astype(np.float32)*np.float32(255)/np.float32(max(image.size-darkest,1)))
    case('equalise',[image],np.clip(levels,0,255).astype(np.uint8)[image])

for file in files.values():
    file.write()
